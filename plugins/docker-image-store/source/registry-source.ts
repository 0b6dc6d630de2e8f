import { join } from "node:path";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { parseConfig } from "../image-config.js";
import { type Descriptor, type ImageManifest, type Platform, parseManifest } from "../manifest.js";
import { selectManifest } from "../platform.js";
import { DEFAULT_TAG, formatReference, type ImageReference } from "../reference.js";
import { invalid } from "../refusals.js";
import { RegistryClient } from "../registry/client.js";
import type { CredentialTable } from "../registry/docker-config.js";
import { endpointOf } from "../registry/endpoint.js";
import type { HttpRequest } from "../registry/http.js";
import { type ImageSource, MAX_CONFIG_BYTES, type SourceImage, type SourceLayer } from "./image-source.js";

export interface RegistrySourceOptions {
  readonly defaultRegistry: URL;
  /** Of the agent, by registry. */
  readonly credentials: CredentialTable;
  readonly platform: Platform;
  readonly request: HttpRequest;
  readonly close: () => Promise<void>;
  /** A compressed layer may be so large. */
  readonly maxLayerBytes: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Images of registries that speak `/v2/`. */
export class RegistrySource implements ImageSource {
  constructor(private readonly options: RegistrySourceOptions) {}

  async find(
    reference: ImageReference,
    { credentials, signal }: { readonly credentials: CredentialTable; readonly signal: AbortSignal },
  ): Promise<SourceImage> {
    const { defaultRegistry, request, clock, random } = this.options;
    const endpoint = endpointOf(reference, defaultRegistry);
    const client = new RegistryClient({
      endpoint,
      credentials: credentials.get(endpoint.host) ?? this.options.credentials.get(endpoint.host),
      request,
      clock,
      random,
    });
    const name = formatReference(reference);
    const wanted = reference.digest ?? reference.tag ?? DEFAULT_TAG;
    const { digest, manifest } = await this.imageManifest(client, { wanted, name, signal });
    const config = await client.blob(manifest.config, MAX_CONFIG_BYTES, signal);
    const { diffIds, os } = parseConfig(config, `the configuration of '${name}'`);
    if (os !== undefined && os !== this.options.platform.os) throw invalid(`'${name}' is for ${os}`);
    if (diffIds?.length !== manifest.layers.length) {
      throw invalid(
        `'${name}' has ${manifest.layers.length} layers, and its configuration names ${diffIds?.length ?? 0}`,
      );
    }
    const layers = manifest.layers.map((layer, index) => this.layer(client, layer, diffIds[index]!));
    return { digest, config, layers };
  }

  close(): Promise<void> {
    return this.options.close();
  }

  private async imageManifest(
    client: RegistryClient,
    {
      wanted,
      name,
      signal,
    }: { readonly wanted: string; readonly name: string; readonly signal: AbortSignal },
  ): Promise<{ digest: string; manifest: ImageManifest }> {
    const first = await client.manifest(wanted, signal);
    const manifest = parseManifest(first.text, `the manifest of '${name}'`);
    if (manifest.kind === "image") return { digest: first.digest, manifest };
    const { digest } = selectManifest(manifest, this.options.platform, `'${name}'`);
    const { text } = await client.manifest(digest, signal);
    const chosen = parseManifest(text, `the manifest ${digest} of '${name}'`);
    if (chosen.kind !== "image") throw invalid(`'${name}' is an index of indexes`);
    return { digest, manifest: chosen };
  }

  private layer(client: RegistryClient, descriptor: Descriptor, diffId: string): SourceLayer {
    return {
      diffId,
      name: descriptor.digest,
      obtain: async (directory, signal) => {
        const { digest, size } = descriptor;
        const { maxLayerBytes } = this.options;
        if (size > maxLayerBytes)
          throw invalid(`the layer ${digest} has ${size} bytes, more than ${maxLayerBytes}`);
        const file = join(directory, digest.slice("sha256:".length));
        await client.download(descriptor, file, signal);
        return { file };
      },
    };
  }
}
