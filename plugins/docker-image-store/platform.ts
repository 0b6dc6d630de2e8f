import type { Descriptor, ImageIndex, Platform } from "./manifest.js";
import { invalid } from "./refusals.js";

/** Node's names of processors that Go, and so the image formats, call otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

export const hostPlatform = (): Platform => ({
  os: "linux",
  architecture: ARCHITECTURES[process.arch] ?? process.arch,
});

/** Variants that run where none is named, the best first: any 64-bit ARM is v8; amd64 goes up by what newer processors added. */
const VARIANTS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  arm64: ["v8", undefined],
  arm: ["v7", "v6", "v5", undefined],
  amd64: [undefined, "v1"],
};

/**
 * The entry for this platform.
 *
 * @throws TepuiError TEPUI_IMAGE_INVALID listing the platforms that there are
 */
export function selectManifest(index: ImageIndex, platform: Platform, what: string): Descriptor {
  const fitting = index.manifests.filter(
    ({ platform: its }) => its?.os === platform.os && its.architecture === platform.architecture,
  );
  for (const variant of VARIANTS[platform.architecture] ?? [undefined]) {
    const exact = fitting.find(({ platform: its }) => its?.variant === variant);
    if (exact !== undefined) return exact;
  }
  // An index of one image says no platform where its builder knew none.
  const [only, ...others] = index.manifests;
  if (only !== undefined && others.length === 0 && only.platform === undefined) return only;
  const there = index.manifests.flatMap(({ platform: its }) =>
    its === undefined ? [] : [[its.os, its.architecture, its.variant].filter(Boolean).join("/")],
  );
  throw invalid(
    `${what} is not there for ${platform.os}/${platform.architecture}; it is for ${there.join(", ") || "no platform"}`,
  );
}
