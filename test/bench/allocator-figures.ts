/** Figures of one run by name; milliseconds, microseconds or megabytes as the name says. */
export type Figures = Record<string, number>;

/** Whether the figure is the worst of what it measures, so that of several runs the worst counts. */
export const isWorst = (name: string): boolean => name.startsWith("longest");
