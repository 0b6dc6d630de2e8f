import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";

/** What sethostname(2) takes. */
const MAX_LENGTH = 64;

/** What the container asks for, or its id. Throws an Error for a name that is none: it also goes into files such as `/etc/hosts`. */
export function hostnameOf({ container, containerId }: ContainerRequest): string {
  const asked = container?.hostname;
  if (asked === undefined) return containerId.value!.slice(0, MAX_LENGTH);
  if (asked.length > MAX_LENGTH || !/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(asked)) {
    throw new Error(`'${asked.slice(0, 2 * MAX_LENGTH)}' is no host name`);
  }
  return asked;
}
