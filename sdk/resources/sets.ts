/** The items of a set resource: no item twice, in the order in which they came. Sets are small, so lists serve. */
export type Items = readonly string[];

export const NO_ITEMS: Items = [];

export function addItems(left: Items, right: Items): Items {
  const added = right.filter((item) => !left.includes(item));
  return added.length === 0 ? left : [...left, ...added];
}

export function subtractItems(left: Items, right: Items): Items {
  return left.filter((item) => !right.includes(item));
}

export function containsItems(left: Items, right: Items): boolean {
  return right.length <= left.length && right.every((item) => left.includes(item));
}

export function equalItems(left: Items, right: Items): boolean {
  return left === right || (left.length === right.length && containsItems(left, right));
}

/** `{sda1, sda2}`, as Mesos writes sets. */
export function itemsText(items: Items): string {
  return `{${items.join(", ")}}`;
}
