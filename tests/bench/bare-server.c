/* bare-server SOCKET FILE...: the least that a varlink service could be, and what guardd's is measured
 * against. It has two methods: Echo answers with the parameters that it was given, Answer with the object in
 * the file of that number, which is read beforehand. It asks for no rights and knows nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#define ANSWERS_MAX 8

struct Answers {
    sd_json_variant *list[ANSWERS_MAX];
    size_t n;
};

static int echo(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                void *userdata)
{
    return sd_varlink_reply(link, parameters);
}

static int answer(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                  void *userdata)
{
    static const sd_json_dispatch_field fields[] = {
        {"number", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64, 0, SD_JSON_MANDATORY},
        {},
    };
    const struct Answers *answers = userdata;
    uint64_t number;
    int r = sd_varlink_dispatch(link, parameters, fields, &number);

    if (r != 0)
        return r;
    return number < answers->n ? sd_varlink_reply(link, answers->list[number]) : -EINVAL;
}

static int serve(const char *socket, struct Answers *answers)
{
    sd_varlink_server *server = NULL;
    sd_event *event = NULL;
    int r = sd_event_default(&event);

    if (r >= 0)
        r = sd_varlink_server_new(&server, SD_VARLINK_SERVER_INHERIT_USERDATA);
    if (r >= 0)
        r = sd_varlink_server_bind_method_many(server, "io.guardd.Bench.Echo", echo, "io.guardd.Bench.Answer",
                                               answer);
    if (r >= 0)
        r = sd_varlink_server_listen_address(server, socket, 0600);
    if (r >= 0) {
        sd_varlink_server_set_userdata(server, answers);
        r = sd_varlink_server_attach_event(server, event, SD_EVENT_PRIORITY_NORMAL);
    }
    if (r >= 0) {
        printf("ready\n");
        fflush(stdout);
        r = sd_event_loop(event);
    }
    sd_varlink_server_unref(server);
    sd_event_unref(event);
    return r;
}

int main(int argc, char **argv)
{
    struct Answers answers = {};
    int r;

    if (argc < 2 || argc - 2 > ANSWERS_MAX) {
        fprintf(stderr, "usage: bare-server SOCKET FILE...\n");
        return 2;
    }
    for (; (int)answers.n < argc - 2; answers.n++)
        if (sd_json_parse_file(NULL, argv[2 + answers.n], 0, &answers.list[answers.n], NULL, NULL) < 0) {
            fprintf(stderr, "bare-server: there is no JSON in %s\n", argv[2 + answers.n]);
            return 2;
        }
    r = serve(argv[1], &answers);
    fprintf(stderr, "bare-server: %s\n", strerror(-r));
    return EXIT_FAILURE;
}
