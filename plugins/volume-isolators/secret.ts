import { chown } from "node:fs/promises";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import type { SecretResolver } from "../../sdk/contracts/secret-resolver.js";
import { containerName } from "../../sdk/ids/index.js";
import { accountOf } from "../../sdk/proc/index.js";
import { mountPoint } from "./mount-point.js";
import type { SecretStore } from "./secret-store.js";
import { volumesOf } from "./volumes-of.js";

export interface SecretVolumeOptions {
  readonly sandboxDirectory: string;
  readonly resolver: SecretResolver;
  readonly store: SecretStore;
}

/** Secrets as files that only their container sees. */
export class SecretVolumes implements Isolator {
  readonly name = "volume/secret";
  readonly nesting = true;

  constructor(private readonly options: SecretVolumeOptions) {}

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    await this.options.store.keep(
      new Set(containers.map(({ request }) => containerName(request.containerId))),
    );
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const { resolver, store, sandboxDirectory } = this.options;
    const mounts: ContainerMount[] = [];
    for (const { volume, source, readOnly } of volumesOf(request, "secret")) {
      const point = await mountPoint(request, volume, { kind: "file", sandboxDirectory });
      const secret = await resolver.resolve(source.secret);
      const name = String(mounts.length);
      const path = await store.write(containerName(request.containerId), { name, secret });
      if (!readOnly) await give(path, request.user);
      mounts.push({ source: path, ...point, options: readOnly ? ["bind", "ro"] : ["bind"] });
    }
    return mounts.length === 0 ? undefined : { namespaces: ["mount"], mounts };
  }

  async cleanup(containerId: string): Promise<void> {
    await this.options.store.remove(containerId);
  }
}

/** What may be written is the user's. */
async function give(path: string, user: string | undefined): Promise<void> {
  const account = user === undefined ? undefined : await accountOf(user);
  if (account !== undefined) await chown(path, account.uid, account.gid);
}
