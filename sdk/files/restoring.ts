/**
 * Where a backup of the directory is unpacked before it takes the directory's place. Where this exists and the directory does not, a
 * restore did not come to its end, and what was there before has been moved aside: nothing may begin anew there.
 */
export const restoringBeside = (directory: string): string => `${directory}.restoring`;
