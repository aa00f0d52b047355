/* Calls of guardd's own code that fail when a test wants them to: the linker leads them through fault.c
 * (meson.build). What libraries call by themselves is not touched. */
#pragma once

#include <ini.h>
#include <stddef.h>

/* The nth call (from 0) of this function from now on fails with this errno; fault.c has their names. What
 * says 0 where it fails otherwise does so for 0: read() is at the end of its file. Once, and until the next
 * order. */
void fault_call(const char *function, size_t nth, int error);

/* Whatever is refused of the memory that `attempt` asks for, it must say -ENOMEM and leave nothing behind
 * (LeakSanitizer tells); with all of it, `expected`. */
void fault_each_shortage(int (*attempt)(void *userdata), void *userdata, int expected);

/* Stands in for inih while it is set. */
extern int (*fault_inih)(ini_reader reader, void *stream, ini_handler handler, void *user);
