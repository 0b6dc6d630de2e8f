/** Exit code of a command line that cannot be understood, as tools have it; what takes Mesos's flags exits as Mesos's programs do, with 1. */
export const BAD_USAGE = 2;
