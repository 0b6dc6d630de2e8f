import { type Volume, Volume_Mode } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { type VolumeSource, volumeSource } from "../../sdk/volumes/index.js";

type SourceOf<K extends VolumeSource["kind"]> = Extract<VolumeSource, { readonly kind: K }>;

/** One volume of a container. */
export interface AskedVolume<K extends VolumeSource["kind"]> {
  readonly volume: Volume;
  readonly source: SourceOf<K>;
  readonly readOnly: boolean;
}

/** The container's volumes of one kind. Throws an Error for a volume of no sound form. */
export function volumesOf<K extends VolumeSource["kind"]>(
  { container }: ContainerRequest,
  kind: K,
): AskedVolume<K>[] {
  const found: AskedVolume<K>[] = [];
  for (const volume of container?.volumes ?? []) {
    const source = volumeSource(volume);
    if (isOf(source, kind)) found.push({ volume, source, readOnly: volume.mode === Volume_Mode.RO });
  }
  return found;
}

const isOf = <K extends VolumeSource["kind"]>(source: VolumeSource, kind: K): source is SourceOf<K> =>
  source.kind === kind;
