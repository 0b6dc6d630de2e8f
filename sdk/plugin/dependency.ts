import type { AnyExtensionPoint, ExtensionPoint } from "./extension-point.js";

/** A dependency that may be absent. */
export interface Optional<P extends AnyExtensionPoint = AnyExtensionPoint> {
  readonly optional: P;
}

/** What a plugin may name in `requires`. */
export type Dependency = AnyExtensionPoint | Optional;

/** Named dependencies of a plugin. */
export type Requirements = Readonly<Record<string, Dependency>>;

/** Marks a dependency as optional: with cardinality `one` and no provider, the plugin gets `undefined`. */
export function optional<P extends AnyExtensionPoint>(point: P): Optional<P> {
  return { optional: point };
}

export function isOptional(dependency: Dependency): dependency is Optional {
  return "optional" in dependency;
}

/** The extension point that a dependency names, optional or not. */
export function pointOf(dependency: Dependency): AnyExtensionPoint {
  return isOptional(dependency) ? dependency.optional : dependency;
}

/** What is delivered for a point of each cardinality. Without a provider, `many`, `ordered` and `keyed` are empty. */
type Delivered<P> =
  P extends ExtensionPoint<infer T, infer C>
    ? C extends "one"
      ? T
      : C extends "keyed"
        ? ReadonlyMap<string, T>
        : readonly T[]
    : never;

type DeliveredOptional<P> =
  P extends ExtensionPoint<unknown, infer C> ? Delivered<P> | (C extends "one" ? undefined : never) : never;

/** The object that `setup` receives for its `requires`. */
export type Dependencies<R extends Requirements> = {
  readonly [K in keyof R]: R[K] extends Optional<infer P> ? DeliveredOptional<P> : Delivered<R[K]>;
};
