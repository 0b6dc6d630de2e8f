import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";

/** Numbers of an operating system's user. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);

/**
 * The numbers of a user, asked from the system's own directory (files, LDAP, ...) through id(1). Undefined for an unknown
 * user. Accepts a number in place of a name.
 */
export async function accountOf(user: string): Promise<Account | undefined> {
  // A name that id would take for an option is nobody's.
  if (user === "" || user.startsWith("-")) return undefined;
  try {
    const [uid, gid] = await Promise.all(
      ["-u", "-g"].map(async (what) => Number((await run("id", [what, user])).stdout)),
    );
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  } catch (error) {
    // Ended with a status: no such user. Otherwise id itself could not be run.
    if (error instanceof Error && "code" in error && typeof error.code === "number") return undefined;
    throw error;
  }
}

let own: { readonly username: string; readonly uid: number } | undefined;

/** Whether the user is the one that this process runs as; it does not change, so it is asked once. */
export function isOwnUser(user: string): boolean {
  own ??= userInfo();
  return user === own.username || user === String(own.uid);
}
