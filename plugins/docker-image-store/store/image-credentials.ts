import { createHash } from "node:crypto";
import { type Image, type Secret, Secret_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { SecretResolver } from "../../../sdk/contracts/secret-resolver.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import type { ImageReference } from "../reference.js";
import { type CredentialTable, parseDockerConfig } from "../registry/docker-config.js";
import { endpointOf } from "../registry/endpoint.js";

export interface OwnCredentials {
  readonly table: CredentialTable;
  /** Tells these credentials from others without showing them; empty: there are none. */
  readonly identity: string;
}

/** The credentials that an image brings itself: `docker.config`, a secret that holds a Docker configuration, or `docker.credential`. */
export class ImageCredentials {
  constructor(
    private readonly resolver: SecretResolver | undefined,
    private readonly defaultRegistry: URL | undefined,
  ) {}

  /** @throws TepuiError TEPUI_SECRET_UNRESOLVED, TEPUI_IMAGE_INVALID */
  async of(image: Image, reference: ImageReference, name: string): Promise<OwnCredentials> {
    const { config, credential } = image.docker ?? {};
    if (config !== undefined) {
      const data = await this.resolve(config, name);
      return {
        table: parseDockerConfig(data, `the config of the image '${name}'`),
        identity: identityOf(data),
      };
    }
    if (credential?.principal !== undefined && this.defaultRegistry !== undefined) {
      const { principal: username, secret: password = "" } = credential;
      const { host } = endpointOf(reference, this.defaultRegistry);
      return {
        table: new Map([[host, { username, password }]]),
        identity: identityOf(`${username}\0${password}`),
      };
    }
    return { table: new Map(), identity: "" };
  }

  /** Values need no resolver, as in Mesos. */
  private async resolve(secret: Secret, name: string): Promise<Buffer> {
    if (this.resolver !== undefined) return this.resolver.resolve(secret);
    if (secret.type === Secret_Type.VALUE && secret.value?.data !== undefined) return secret.value.data;
    throw new TepuiError("TEPUI_SECRET_UNRESOLVED", {
      detail: `the config of the image '${name}' is a reference, and no secret resolver is loaded`,
    });
  }
}

const identityOf = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");
