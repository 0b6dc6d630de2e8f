import "reflect-metadata";
import { type DependencyContainer, container as root } from "tsyringe";
import { TepuiError } from "../../sdk/errors/index.js";
import {
  type AnyExtensionPoint,
  type Dependency,
  isOptional,
  pointOf,
  type Requirements,
} from "../../sdk/plugin/index.js";

/** The plugin that binds: its name, for messages, and its place in the manifest, for the order of `ordered` points. */
export interface Binder {
  readonly name: string;
  readonly index: number;
  readonly provides: readonly AnyExtensionPoint[];
}

interface Binding {
  readonly binder: Binder;
  readonly implementation: unknown;
  readonly key: string | undefined;
}

/** Everything bound to one point. Lists and maps that were handed out change in place when a plugin drops out. */
class Slot {
  private bindings: Binding[] = [];
  private readonly list: unknown[] = [];
  private readonly map = new Map<string, unknown>();

  constructor(readonly point: AnyExtensionPoint) {}

  add(binding: Binding): void {
    const { name, cardinality } = this.point;
    const rival = this.bindings.find((other) => cardinality === "one" || other.key === binding.key);
    if (rival !== undefined && (cardinality === "one" || cardinality === "keyed")) {
      const what = binding.key === undefined ? `'${name}'` : `the key '${binding.key}' of '${name}'`;
      throw new TepuiError("TEPUI_BIND_INVALID", {
        detail: `${what} is bound by '${rival.binder.name}' already`,
      });
    }
    this.bindings.push(binding);
    // Setups run in order of dependencies, but behaviour follows the manifest. The sort keeps a plugin's own order.
    this.bindings.sort((a, b) => a.binder.index - b.binder.index);
    this.refresh();
  }

  drop(binder: Binder): void {
    this.bindings = this.bindings.filter((binding) => binding.binder !== binder);
    this.refresh();
  }

  boundBy(binder: Binder): boolean {
    return this.bindings.some((binding) => binding.binder === binder);
  }

  deliver(): unknown {
    switch (this.point.cardinality) {
      case "one":
        return this.bindings[0]?.implementation;
      case "keyed":
        return this.map;
      default:
        return this.list;
    }
  }

  private refresh(): void {
    this.list.splice(0, this.list.length, ...this.bindings.map((binding) => binding.implementation));
    this.map.clear();
    for (const { key, implementation } of this.bindings)
      if (key !== undefined) this.map.set(key, implementation);
  }
}

/**
 * What is bound to which extension point: one flat tsyringe container with one registration per point. No plugin sees the container, and
 * the kernel disposes of the implementations, not the container.
 */
export class Bindings {
  private readonly container: DependencyContainer = root.createChildContainer();
  private readonly slots = new Map<symbol, Slot>();

  /** @throws TepuiError TEPUI_BIND_INVALID */
  bind(binder: Binder, point: AnyExtensionPoint, implementation: unknown, key?: string): void {
    const declared = binder.provides.find((provided) => provided.token === point.token);
    const refuse = (detail: string): never => {
      throw new TepuiError("TEPUI_BIND_INVALID", { detail: `'${point.name}' ${detail}` });
    };
    if (declared === undefined) refuse("is not listed in provides");
    if (implementation === undefined || implementation === null) refuse("was bound to nothing");
    if (point.cardinality === "keyed" && (typeof key !== "string" || key === "")) refuse("needs a key");
    if (point.cardinality !== "keyed" && key !== undefined) refuse("takes no key");
    this.slot(point).add({ binder, implementation, key });
  }

  /** Removes everything that the plugin bound. */
  withdraw(binder: Binder): void {
    for (const slot of this.slots.values()) slot.drop(binder);
  }

  /** The `one` points that the plugin declared but did not bind. */
  unbound(binder: Binder): string[] {
    return binder.provides
      .filter((point) => point.cardinality === "one" && !this.slot(point).boundBy(binder))
      .map((point) => point.name);
  }

  /** The dependencies that `setup` receives. */
  deliver(requires: Requirements): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(requires).map(([key, spec]) => [key, this.resolve(pointOf(spec))]),
    );
  }

  /** The first required point without an implementation. */
  unmet(requires: Requirements): AnyExtensionPoint | undefined {
    const lacks = (dependency: Dependency): boolean =>
      !isOptional(dependency) && dependency.cardinality === "one" && this.resolve(dependency) === undefined;
    return Object.values(requires).filter(lacks).map(pointOf)[0];
  }

  resolve(point: AnyExtensionPoint): unknown {
    this.slot(point);
    return this.container.resolve(point.token);
  }

  private slot(point: AnyExtensionPoint): Slot {
    const existing = this.slots.get(point.token);
    if (existing !== undefined) return existing;
    const slot = new Slot(point);
    this.slots.set(point.token, slot);
    this.container.register(point.token, { useFactory: () => slot.deliver() });
    return slot;
  }
}
