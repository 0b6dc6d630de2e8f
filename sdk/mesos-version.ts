/** The version of Mesos whose interfaces are served: what peers and clients are told, and compare, where they ask for a version. */
export const MESOS_VERSION = "1.12.0";
