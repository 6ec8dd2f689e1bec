/*
 * What worker and host say to each other.
 *
 * A host (`sluice-host`) is started by core/worker/supervisor.c with these descriptors:
 *   3  control: SOCK_STREAM socket, core/base/channel.h
 *   4  log pipe: one line a record, `LEVEL \x1f logger \x1f context \x1f text \n`, newlines in the
 *      text as \x1e; what a plugin prints to stdout or stderr comes there too, through fd 1 and 2,
 *      as lines without \x1f
 *   5  metrics and crash page: a memfd of sizeof(struct metrics_page), core/metrics/page.h
 * argv: sluice-host ROLE [NAME], only for `ps`; no configuration and no secret is ever in argv or env.
 * End of file on 3 means the worker is gone: the host leaves at once. PR_SET_PDEATHSIG backs it,
 * with SIGRTMAX, so that it can still end what plugins have started (process_orphaned()).
 *
 * Worker -> host, first message (decides the role):
 *   {"type":"scan","paths":["/x/a.so",..],"skip":["/x/crashes.so",..]}     skip may be left out
 *   {"type":"check","path":P,"class":C,"kind":K,"check":NAME,"config":{..},"plugin_path":[..]}
 *        one conformance test of `sluice plugins check`; without NAME: asks which there are
 *   {"type":"validate","class":C,"kind":K,"config":{..},"worker":{..},"plugin_path":[..]}
 *   {"type":"validate_class","class":C,"kind":K,"config":{..},"plugin_path":[..]}
 *   {"type":"connector","name":N,"class":C,"config":{..},"worker":{..},"plugin_path":[..]}
 *   {"type":"offsets","operation":"list"|"alter"|"reset","name":N,"class":C,"config":{..},"worker":{..},
 *    "offsets":[{"partition":{..}|null,"offset":{..}|null}..],"plugin_path":[..]}
 *   {"type":"resolve","config":{..},"worker":{..},"plugin_path":[..]}     variables of the worker's own keys
 *   {"type":"task","name":N,"task":n,"config":{..},"worker":{..},"plugin_path":[..],
 *    "paused":b,"memory_limit":bytes}
 *        "log_levels":{logger:level,..} (every level that is set, "root" among them), memory_limit
 *        (RLIMIT_DATA) and "core":true (leave core files as they are) hold for any role
 *        "environment":{..}: the worker's, where config providers are configured
 *        config: the task's configuration, with the connector's keys (converters, transforms, errors.*)
 *        worker: the worker's properties (bootstrap.servers, key.converter, .., producer.*, ..)
 *        paths in plugin_path are absolute; the built-in plugin folder comes last
 * Worker -> task host, later:
 *   {"type":"pause"} {"type":"resume"} {"type":"stop","timeout_ms":n}
 *   {"type":"commit"}                    a sink: what is written, soon; answered by committed
 *   {"type":"log_levels","log_levels":{logger:level,..}}    any role; in place of the former ones
 *   {"type":"topics_reset"}                                       tells every topic again
 *   {"type":"tap","id":n,"stage":"polled"|"converted"|"transformed","limit":n}   a sample of records
 *   {"type":"tap_end","id":n}                       what there is of it, now
 *   {"type":"offsets_reply","id":n,"offsets":[{..}|null,..]}      see offsets_get
 *
 * Host -> worker:
 *   scan:      {"type":"plugins","path":P,"plugins":[descriptor..]}   per file, descriptor as JSON:
 *                 {class,kind,aliases[],version,doc,options[{name,type,required,default,importance,
 *                  doc,group,order,width,display_name,dependents[],internal,unavailable}]}
 *              {"type":"plugin_error","path":P,"code":n,"message":M}  then {"type":"done"}
 *              {"type":"loading","path":P} before each file, so that a crash can be blamed
 *   validate:  {"type":"validated","configs":[..],"groups":[..],"unknown":[..],"errors":n}  as ConfigInfos
 *   validate_class: {"type":"validated","configs":[{"name":,"value":,"errors":[..]}..],"errors":n}
 *   connector: {"type":"time_to_live","milliseconds":n}  where a config provider says so
 *              {"type":"task_configs","configs":[{..}..]}  then the host leaves
 *   offsets:   {"type":"offsets_done","offsets":[..],"handled":b}   offsets: of a sink's group, when listed
 *   resolve:   {"type":"resolved","values":{..}}
 *   check:     {"type":"checked","outcome":"ok"|"not ok"|"skipped","reason":T|null}
 *              or {"type":"checks","names":[..]}
 *   task:      {"type":"state","state":"RUNNING"|"PAUSED"|"STOPPED"}
 *              {"type":"offsets_get","id":n,"partitions":[{..}..]}    source tasks
 *              {"type":"offsets","offsets":[[{partition},{offset}]..],"id":n}
 *                   answered by {"type":"offsets_stored","id":n,"error":null|M}
 *              {"type":"committed"}      what was written when commit was asked for, or nothing was
 *              {"type":"reconfigure"}
 *              {"type":"tapped","id":n,"records":[{..}..]}    secrets taken out (core/host/tap.h)
 *              {"type":"topic","topic":T}     the first record of it was read, or is durable
 *   any:       {"type":"failed","code":n,"class":C,"message":M,"trace":T}  then exit status 1
 *              Exit 0 is a clean end. Any other end is told by wait status and the crash page.
 */
#ifndef CORE_HOST_PROTOCOL_H
#define CORE_HOST_PROTOCOL_H

enum {
    HOST_FD_CONTROL = 3,
    HOST_FD_LOG = 4,
    HOST_FD_PAGE = 5,
};

/** Exit statuses of a host besides 0 and 1. */
enum {
    HOST_EXIT_MEMORY = 70, /* the memory limit was reached; page->crash tells how much was wanted */
    HOST_EXIT_ORPHAN = 71, /* the worker is gone */
};

#endif
