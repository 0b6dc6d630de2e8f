/** Reasons for refusing a flag that apply to several flags. */
export const APPC =
  "images of the App Container format, which ended in 2016, are not understood; convert them to OCI images";
export const AUFS = "AUFS was never part of Linux and has given way to overlayfs";
export const AUTHN = "authentication is not part of this version yet";
export const AUTHZ = "authorization is not part of this version yet";
export const BUFFER = "each log line is written at once";
export const CSI = "resource providers and CSI storage are not part of this version yet";
export const FIREWALL = "disabling endpoints is not part of this version yet";
export const HDFS = "fetching through a Hadoop client is not part of this version yet";
export const IPV6 = "IPv6 is not part of this version yet";
export const LOGFILES = "log files are not part of this version yet; the log goes to standard error";
export const MODULES =
  "Mesos modules are C++ libraries and cannot be loaded; list a plugin in the manifest instead";
export const PORTMAP =
  "the network/port_mapping isolator is not part of this version: network/cni gives containers ports of their own and maps them";
export const PROFILING = "heap profiling belongs to the C++ daemon; use node --inspect";
export const RATES = "rate limits of frameworks are not part of this version yet";
export const SECRETS =
  "resolvers are plugins: give secret-resolver a directory in the manifest, or list your own in its place";
export const SOCKETS = "Unix domain sockets for executors are not part of this version yet";
export const WEBUI = "the web interface is not part of this version yet";
