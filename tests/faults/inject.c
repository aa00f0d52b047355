/* A library to be preloaded into guardd: one call, at one site of guardd's own code, fails once.
 *
 * A site is a function of functions.def and the address behind the call, counted from where the program was
 * loaded. Calls that libraries make of each other are passed on; so is every call at another site, and each
 * but the first.
 *
 *   GUARDD_FAULT_SITES=FILE  each site is written there when it is first come by: "FUNCTION OFFSET"
 *   GUARDD_FAULT="FUNCTION OFFSET ERRNO" GUARDD_FAULT_MARK=FILE
 *                            the call there fails with this number, in whichever process makes FILE by it
 *
 * All functions have the same way in, which knows nothing of their arguments: it keeps the registers, asks,
 * and either returns or jumps to the function that was meant. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the way in is written for x86-64"
#endif

/* How a function says that it failed. CLOSED: by -1, and has done its work nevertheless, as close() does. */
enum Failure { MINUS, NOTHING, NEGATIVE, NUMBER, CLOSED };

struct Function {
    const char *name;
    enum Failure failure;
    void *real;
};

/* What the way in does: jump to `real`, or return `value`. */
struct Answer {
    void *real;
    long value;
};

#define MAX_SITES 4096

static uintptr_t program_base, program_begin, program_end;
static uintptr_t seen[MAX_SITES]; /* a hash table, open */
static struct {
    char function[64];
    uintptr_t offset;
    int error;
} fault;

#define FAULT(name_, failure_, errnos_)                                                                      \
    __attribute__((used, visibility("hidden"))) struct Function function_##name_ = {#name_, failure_, NULL}; \
    __asm__(".text\n.globl " #name_ "\n.type " #name_ ", @function\n" #name_ ":\n"                           \
            "    endbr64\n    leaq function_" #name_ "(%rip), %r11\n    pushq %r11\n    jmp way_in\n"        \
            ".size " #name_ ", .-" #name_ "\n");
#include "functions.def"
#undef FAULT

__asm__(".text\n.type way_in, @function\nway_in:\n"
        "    pushq %rax\n    pushq %rdi\n    pushq %rsi\n    pushq %rdx\n"
        "    pushq %rcx\n    pushq %r8\n    pushq %r9\n    subq $136, %rsp\n"
        "    movups %xmm0, (%rsp)\n    movups %xmm1, 16(%rsp)\n"
        "    movups %xmm2, 32(%rsp)\n    movups %xmm3, 48(%rsp)\n"
        "    movups %xmm4, 64(%rsp)\n    movups %xmm5, 80(%rsp)\n"
        "    movups %xmm6, 96(%rsp)\n    movups %xmm7, 112(%rsp)\n"
        "    movq %rdi, %rdx\n    movq 192(%rsp), %rdi\n    movq 200(%rsp), %rsi\n"
        "    call answer\n    movq %rax, %r11\n    movq %rdx, %r10\n"
        "    movups (%rsp), %xmm0\n    movups 16(%rsp), %xmm1\n"
        "    movups 32(%rsp), %xmm2\n    movups 48(%rsp), %xmm3\n"
        "    movups 64(%rsp), %xmm4\n    movups 80(%rsp), %xmm5\n"
        "    movups 96(%rsp), %xmm6\n    movups 112(%rsp), %xmm7\n"
        "    addq $136, %rsp\n    popq %r9\n    popq %r8\n    popq %rcx\n"
        "    popq %rdx\n    popq %rsi\n    popq %rdi\n    popq %rax\n    addq $8, %rsp\n"
        "    testq %r11, %r11\n    jz 1f\n    jmp *%r11\n1:  movq %r10, %rax\n    ret\n");

/* By the kernel's own number: open() and write() are ours. */
static long ask_kernel(long number, long a, long b, long c, long d)
{
    long result;
    register long r10 __asm__("r10") = d;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static long open_raw(const char *path, int flags)
{
    return ask_kernel(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, 0666);
}

static bool mark(void)
{
    const char *path = getenv("GUARDD_FAULT_MARK");
    long fd = path ? open_raw(path, O_WRONLY | O_CREAT | O_EXCL) : -ENOENT;

    if (fd < 0)
        return false;
    ask_kernel(SYS_close, fd, 0, 0, 0);
    return true;
}

static bool is_new(uintptr_t site)
{
    for (size_t i = 0; i < MAX_SITES; i++) {
        uintptr_t *slot = &seen[(site + i) % MAX_SITES], empty = 0;

        if (__atomic_compare_exchange_n(slot, &empty, site, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return true;
        if (empty == site)
            return false;
    }
    return false;
}

static void note(const char *function, uintptr_t offset)
{
    const char *path = getenv("GUARDD_FAULT_SITES");
    char line[128];
    long fd;

    if (!path || !is_new(offset))
        return;
    fd = open_raw(path, O_WRONLY | O_CREAT | O_APPEND);
    if (fd < 0)
        return;
    ask_kernel(SYS_write, fd, (long)line,
               snprintf(line, sizeof(line), "%s %#lx\n", function, (unsigned long)offset), 0);
    ask_kernel(SYS_close, fd, 0, 0, 0);
}

/* dlsym() may allocate. */
static void *resolve(const char *name)
{
    extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

    if (strcmp(name, "malloc") == 0)
        return __libc_malloc;
    if (strcmp(name, "calloc") == 0)
        return __libc_calloc;
    if (strcmp(name, "realloc") == 0)
        return __libc_realloc;
    return dlsym(RTLD_NEXT, name);
}

static long failed(const struct Function *function, void *first)
{
    if (function->failure == CLOSED)
        (void)((long (*)(void *))function->real)(first);
    if (function->failure == NEGATIVE)
        return -fault.error;
    if (function->failure == NUMBER)
        return fault.error;
    errno = fault.error;
    return function->failure == NOTHING ? 0 : -1;
}

__attribute__((visibility("hidden"))) struct Answer answer(struct Function *function, uintptr_t caller,
                                                           void *first);

/* Called by way_in. */
__attribute__((used)) struct Answer answer(struct Function *function, uintptr_t caller, void *first)
{
    uintptr_t offset = caller - program_base;
    int saved = errno;

    if (!function->real)
        function->real = resolve(function->name);
    if (caller >= program_begin && caller < program_end) {
        note(function->name, offset);
        if (offset == fault.offset && strcmp(function->name, fault.function) == 0 && mark())
            return (struct Answer){NULL, failed(function, first)};
    }
    errno = saved;
    return (struct Answer){function->real, 0};
}

static int find_program(struct dl_phdr_info *info, size_t size, void *unused)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        program_base = info->dlpi_addr;
        program_begin = info->dlpi_addr + part->p_vaddr;
        program_end = program_begin + part->p_memsz;
    }
    return 1; /* the program is the first of all */
}

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("GUARDD_FAULT");

    dl_iterate_phdr(find_program, NULL);
    if (wanted)
        (void)sscanf(wanted, "%63s %lx %d", fault.function, &fault.offset, &fault.error);
}
