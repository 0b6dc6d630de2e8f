import { resourceJson } from "./resource-text.js";
import type { Json } from "./stage.js";
import type { Words } from "./words.js";

type Part = { readonly [field: string]: unknown };

/**
 * Operations of an ACCEPT in short form; resources are reserved for the role `role=` (dev) by the principal `principal=`, below the
 * reservations for the roles `above=`.
 *
 *     + RESERVE disk:1024;cpus:1 id=op1        + UNRESERVE disk:1024
 *     + CREATE data disk:1024 shared           + DESTROY data disk:1024
 *     + GROW data disk:1024 disk:512           + SHRINK data disk:1024 512
 *     + RESERVE {the part as it is}
 */
export function operationJson(words: Words): Json {
  const type = words.at(0);
  const { id } = words.options;
  const [name = type, part] = partOf(type, words);
  return {
    type: name,
    [name.toLowerCase()]: words.json ?? part,
    ...(id === undefined ? {} : { id: { value: id } }),
  };
}

function partOf(type: string, words: Words): [string, Part] {
  switch (type) {
    case "RESERVE":
    case "UNRESERVE":
      return [type, { resources: reserved(words, words.at(1)) }];
    case "CREATE":
    case "DESTROY":
      return [type, { volumes: volumes(words) }];
    case "GROW":
      return ["GROW_VOLUME", { volume: volumes(words)[0], addition: reserved(words, words.at(3))[0] }];
    case "SHRINK":
      return ["SHRINK_VOLUME", { volume: volumes(words)[0], subtract: { value: Number(words.at(3)) } }];
    default:
      return [type, {}];
  }
}

/** The resources with their reservations. */
function reserved({ options, list }: Words, text: string): Json[] {
  const { role = "dev", principal } = options;
  const by = principal === undefined ? {} : { principal };
  const above = list("above").map((one) => ({ type: "DYNAMIC", role: one, ...by }));
  return (resourceJson(text) as Json[]).map((resource) => ({
    ...resource,
    reservations: [...above, { type: "DYNAMIC", role, ...by }],
  }));
}

export function volumes(words: Words): Json[] {
  const { principal } = words.options;
  const by = principal === undefined ? {} : { principal };
  return reserved(words, words.at(2)).map((resource) => ({
    ...resource,
    disk: {
      persistence: { id: words.at(1), ...by },
      volume: { container_path: "data", mode: "RW" },
    },
    ...(words.at(3) === "shared" ? { shared: {} } : {}),
  }));
}
