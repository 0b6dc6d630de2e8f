/**
 * How many implementations a point has, and how they are told apart.
 *
 * - `one`: exactly one (allocator, registry); two providers stop the boot.
 * - `many`: any number, order without meaning (APIs).
 * - `ordered`: any number, in manifest order, which is behaviour (isolators, hooks).
 * - `keyed`: any number, one for each key (fetcher by URI scheme, authenticator by mechanism).
 */
export type Cardinality = "one" | "many" | "ordered" | "keyed";

/** A typed name at which plugins meet: some bind an implementation of `T` to it, others require it. */
export interface ExtensionPoint<T, C extends Cardinality = Cardinality> {
  readonly name: string;
  /** Contract version, `major.minor`. Another major is incompatible; a provider's minor may be higher than asked for. */
  readonly version: string;
  readonly cardinality: C;
  /** Equal for equal names, also across copies of the package. */
  readonly token: symbol;
  /** Carries the type; never present. */
  readonly _type?: T;
}

/** Any extension point, where the type of what is bound does not matter. */
export type AnyExtensionPoint = ExtensionPoint<unknown>;

export interface ExtensionPointOptions<C extends Cardinality> {
  readonly version: string;
  readonly cardinality: C;
}

/**
 * Declares an extension point. By convention the constant has the name of the interface, so that one import brings both:
 *
 *     export interface Clock { now(): number }
 *     export const Clock = extensionPoint<Clock>("tepui.clock", { version: "1.0", cardinality: "one" });
 *
 * Throws a TypeError for a malformed name or version: both are written by a programmer, not read from outside.
 */
export function extensionPoint<T>(
  name: string,
  options: ExtensionPointOptions<"one">,
): ExtensionPoint<T, "one">;
export function extensionPoint<T>(
  name: string,
  options: ExtensionPointOptions<"many">,
): ExtensionPoint<T, "many">;
export function extensionPoint<T>(
  name: string,
  options: ExtensionPointOptions<"ordered">,
): ExtensionPoint<T, "ordered">;
export function extensionPoint<T>(
  name: string,
  options: ExtensionPointOptions<"keyed">,
): ExtensionPoint<T, "keyed">;
export function extensionPoint<T, C extends Cardinality>(
  name: string,
  options: ExtensionPointOptions<C>,
): ExtensionPoint<T, C>;
export function extensionPoint(name: string, options: ExtensionPointOptions<Cardinality>): AnyExtensionPoint {
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(name)) {
    throw new TypeError(`extension point '${name}': lower-case letters, digits, dots and dashes only`);
  }
  if (!/^\d+\.\d+$/.test(options.version)) {
    throw new TypeError(`extension point '${name}': version '${options.version}' is not major.minor`);
  }
  const { version, cardinality } = options;
  return Object.freeze({ name, version, cardinality, token: Symbol.for(`extension-point:${name}`) });
}
