/** Exit code for an invalid command line, as is usual. Commands that take Mesos's flags exit with 1, as Mesos's programs do. */
export const BAD_USAGE = 2;
