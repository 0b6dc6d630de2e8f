import { Environment_Variable_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import type { SecretResolver } from "../../sdk/contracts/secret-resolver.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";

/** `environment_secret`: variables of type SECRET, resolved when the container starts and never written down. */
export class EnvironmentSecretIsolator implements Isolator {
  readonly name = "environment_secret";
  readonly nesting = true;

  constructor(private readonly resolver: SecretResolver) {}

  async prepare({ command }: ContainerRequest): Promise<Contribution | undefined> {
    const secret = (command.environment?.variables ?? []).filter(
      ({ type }) => type === Environment_Variable_Type.SECRET,
    );
    if (secret.length === 0) return undefined;
    const resolved = await Promise.all(
      secret.map(async ({ name, secret: given }): Promise<[string, string]> => {
        if (given === undefined)
          throw unresolved(`the variable '${name}' is of type SECRET and has no secret`);
        const bytes = await this.resolver.resolve(given).catch((error: unknown) => {
          throw unresolved(`the variable '${name}': ${messageOf(error)}`);
        });
        if (bytes.includes(0)) throw unresolved(`the variable '${name}' has a byte 0 in its secret`);
        return [name!, bytes.toString("utf8")];
      }),
    );
    return { finalEnvironment: Object.fromEntries(resolved) };
  }
}

const unresolved = (detail: string): TepuiError => new TepuiError("TEPUI_SECRET_UNRESOLVED", { detail });
