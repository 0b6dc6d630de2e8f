/** What reading or checking something from outside gives: the value, or what is wrong with the input, in Mesos's words. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string };

export const success = <T>(value: T): Result<T> => ({ ok: true, value });

export const failure = (error: string): { readonly ok: false; readonly error: string } => ({
  ok: false,
  error,
});
