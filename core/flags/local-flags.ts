import * as ENV from "./defaults.js";
import { type FlagSpec, flag, setting } from "./flag-spec.js";

/** The flags of `mesos-local`, which runs a master and agents in one process. */
export const LOCAL_FLAGS: readonly FlagSpec[] = [
  flag("work_dir", "string", ENV.tmp("work"), setting, "Folder below which the daemons keep their state."),
  flag("num_slaves", "int", "1", setting, "Number of agents.", {
    check: (value) => ((value as number) < 1 ? "must be at least 1" : undefined),
  }),
  flag("port", "uint16", "5050", setting, "Port of the master."),
  flag("ip", "string", undefined, setting, "Address to listen on."),
  flag("help", "bool", "false", setting, "Print usage and quit."),
];
