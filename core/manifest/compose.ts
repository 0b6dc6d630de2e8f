import { dirname, isAbsolute, resolve } from "node:path";
import type { Origin } from "../flags/assignment.js";
import { closest } from "../kernel/closest.js";
import type { ManifestPlugin } from "./format.js";
import { pathKey } from "./references.js";
import type { ManifestSource } from "./source.js";

/** What one file says about one plugin. */
export interface Fragment {
  readonly source: ManifestSource;
  /** Of the item, such as `["plugins", 3]`. */
  readonly path: readonly PropertyKey[];
  readonly plugin: ManifestPlugin;
  /** Origins of the config values, by path within the config. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** An item of a file's list; without a fragment if it is malformed. */
export interface Item {
  readonly fragment: Fragment | undefined;
  readonly problems: readonly string[];
}

/** One plugin of the result: what each file says about it, the base first. */
interface Slot {
  readonly fragments: Fragment[];
  readonly problems: string[];
}

/** A plugin as all files together describe it. */
export interface ComposedPlugin {
  readonly plugin: ManifestPlugin;
  /** The fragment that decides what is loaded; paths are relative to its file. */
  readonly giver: Fragment;
  /** For each field, the last of these that mentions it decides. */
  readonly fragments: readonly Fragment[];
  readonly origins: ReadonlyMap<string, Origin>;
  readonly problems: readonly string[];
}

/**
 * Layers the lists of several files, the base first. An item that names a plugin of the list below modifies it in place; any other is
 * appended, or inserted where `before` or `after` says. If `plugin` is undefined, there are only problems.
 */
export function compose(
  lists: readonly (readonly Item[])[],
): (ComposedPlugin | { readonly plugin?: undefined; readonly problems: readonly string[] })[] {
  let slots: Slot[] = [];
  for (const items of lists) slots = extend(slots, items);
  return slots.map(({ fragments, problems }) =>
    fragments.length === 0 ? { problems } : { ...merge(fragments), fragments, problems },
  );
}

interface Move {
  readonly slot: Slot;
  readonly fragment: Fragment;
}

function extend(below: readonly Slot[], items: readonly Item[]): Slot[] {
  const slots = [...below];
  const changed = new Set<Slot>();
  const moves: Move[] = [];
  for (const { fragment, problems } of items) {
    if (fragment === undefined) {
      slots.push({ fragments: [], problems: [...problems] });
      continue;
    }
    const name = nameOf(fragment);
    // Naming a plugin twice in one file is a mistake, found when both are added.
    const known = below.filter((slot) => !changed.has(slot) && slotName(slot) === name);
    const touched =
      known.length > 0 ? known : [{ fragments: [], problems: uselessOmission(fragment, below) }];
    for (const slot of touched) {
      slot.fragments.push(fragment);
      slot.problems.push(...problems);
      changed.add(slot);
      const { before, after } = fragment.plugin;
      if (before === undefined && after === undefined) {
        if (known.length === 0) slots.push(slot);
        continue;
      }
      moves.push({ slot, fragment });
      if (known.length > 0) slots.splice(slots.indexOf(slot), 1);
    }
  }
  place(slots, moves);
  return slots;
}

/** Omitting a plugin that the file below does not have is a mistake. */
function uselessOmission(fragment: Fragment, below: readonly Slot[]): string[] {
  const { source, path, plugin } = fragment;
  if (plugin.disabled !== true || below.length === 0) return [];
  return [
    `${source.where([...path, "disabled"])}: disabled: there is no plugin '${nameOf(fragment)}' to leave out${hint(nameOf(fragment), below)}`,
  ];
}

/** Inserts each plugin where it wants to be; those that want to follow the same plugin keep their order. */
function place(slots: Slot[], moves: readonly Move[]): void {
  let waiting = moves;
  const followers = new Map<Slot, Slot>();
  for (let open = Number.POSITIVE_INFINITY; waiting.length < open; ) {
    open = waiting.length;
    waiting = waiting.filter(({ slot, fragment }) => {
      const { before, after } = fragment.plugin;
      const wanted = moduleOf((before ?? after)!, fragment);
      const index =
        before === undefined
          ? slots.findLastIndex((other) => slotName(other) === wanted)
          : slots.findIndex((other) => slotName(other) === wanted);
      if (index < 0) return true;
      const anchor = slots[index]!;
      if (before !== undefined) slots.splice(index, 0, slot);
      else {
        slots.splice(slots.indexOf(followers.get(anchor) ?? anchor) + 1, 0, slot);
        followers.set(anchor, slot);
      }
      return false;
    });
  }
  for (const { slot, fragment } of waiting) {
    const { source, path, plugin } = fragment;
    const field = plugin.before === undefined ? "after" : "before";
    const wanted = plugin[field]!;
    slot.problems.push(
      `${source.where([...path, field])}: ${field}: there is no plugin '${wanted}' to stand ${field}${hint(wanted, slots)}`,
    );
    slots.push(slot);
  }
}

function hint(name: string, slots: readonly Slot[]): string {
  const guess = closest(
    name,
    slots.flatMap((slot) => slotName(slot) ?? []),
  );
  return guess === undefined ? "" : `; did you mean '${guess}'?`;
}

/** The name by which other entries refer to it: its `as` name, otherwise what it loads. */
const nameOf = (fragment: Fragment): string => fragment.plugin.as ?? moduleOf(fragment.plugin.use, fragment);

const slotName = ({ fragments: [first] }: Slot): string | undefined =>
  first === undefined ? undefined : nameOf(first);

/** Paths are relative to the file in which they are written. */
function moduleOf(use: string, { source }: Fragment): string {
  return /^\.{1,2}\//.test(use) || isAbsolute(use) ? resolve(dirname(source.path), use) : use;
}

function merge(fragments: readonly Fragment[]): Pick<ComposedPlugin, "plugin" | "giver" | "origins"> {
  const [first, ...later] = fragments;
  let giver = first!;
  let { plugin, origins } = giver;
  for (const fragment of later) {
    const over = fragment.plugin;
    // Without `as`, `use` only names the entry below.
    const replaces =
      over.as !== undefined && moduleOf(over.use, fragment) !== moduleOf(giver.plugin.use, giver);
    if (replaces) giver = fragment;
    // Another plugin has other fields.
    const below = replaces ? {} : plugin.config;
    const given = Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined));
    origins = new Map([
      ...[...(replaces ? [] : origins)].filter(([key]) => !Object.hasOwn(over.config ?? {}, fieldOf(key))),
      ...fragment.origins,
    ]);
    plugin = {
      ...plugin,
      ...given,
      use: giver.plugin.use,
      ...(below === undefined && over.config === undefined ? {} : { config: { ...below, ...over.config } }),
    };
  }
  return { plugin, giver, origins };
}

/** The top-level field that contains a value of a config. */
const fieldOf = (key: string): string => String((JSON.parse(key) as PropertyKey[])[0]);

/** The file that decides about this field; absent: the one that added the plugin. */
export function speaker(
  fragments: readonly Fragment[],
  speaks: (plugin: ManifestPlugin) => boolean,
): Fragment {
  return fragments.findLast(({ plugin }) => speaks(plugin)) ?? fragments[0]!;
}

/** By path within the config; paths in `resolved` start at the top of the file. */
export function configOrigins(
  resolved: ReadonlyMap<string, Origin>,
  item: readonly PropertyKey[],
): ReadonlyMap<string, Origin> {
  return new Map(
    [...resolved].flatMap(([key, origin]): [string, Origin][] => {
      const full = JSON.parse(key) as PropertyKey[];
      return full[item.length] === "config" ? [[pathKey(full.slice(item.length + 1)), origin]] : [];
    }),
  );
}
