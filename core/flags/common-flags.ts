import { ipv4, portText, severity } from "./checks.js";
import { type FlagSpec, flag, refused, setting } from "./flag-spec.js";
import { AUTHN, BUFFER, LOGFILES, PROFILING } from "./reasons.js";

/** Flags that master and agent have in common: those of Mesos's logging and messaging libraries, mostly. */
// biome-ignore format: a table, one flag a line
export const COMMON_FLAGS: readonly FlagSpec[] = [
  flag("ip", "string", undefined, setting, "Bind address; exclusive with --ip_discovery_command.", { check: ipv4 }),
  flag("ip_discovery_command", "string", undefined, setting, "Command whose output is the IP to bind."),
  flag("advertise_ip", "string", undefined, setting, "IP told to others; not bound.", { check: ipv4 }),
  flag("advertise_port", "string", undefined, setting, "Port told to others together with advertise_ip; not bound.", { check: portText }),
  flag("authenticate_http_readonly", "bool", "false", refused(AUTHN), "Require HTTP authentication on read-only endpoints."),
  flag("memory_profiling", "bool", "false", refused(PROFILING), "Expose libprocess heap profiling when jemalloc is loaded."),
  flag("quiet", "bool", "false", setting, "No logging to stderr."),
  flag("logging_level", "string", "INFO", setting, "Minimum severity: INFO, WARNING or ERROR.", { check: severity }),
  flag("log_dir", "string", undefined, refused(LOGFILES), "Directory for log files; unset = nothing on disk; exposes the log in the UI."),
  flag("logbufsecs", "int", "0", refused(BUFFER), "Seconds logs may be buffered; 0 flushes at once."),
  flag("initialize_driver_logging", "bool", "true", refused("it concerns drivers, not the daemon", "false"), "Whether scheduler/executor drivers set up glog."),
  flag("external_log_file", "string", undefined, refused(LOGFILES), "Externally written log file to show in UI/API; wins over log_dir there."),
  flag("help", "bool", "false", setting, "Print usage and quit."),
  flag("version", "bool", "false", setting, "Print the version and quit."),
];
