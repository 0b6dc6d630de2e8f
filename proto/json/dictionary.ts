/** An empty map field. */
interface DictionaryConstructor {
  new <T>(): { [key: string]: T };
}

/**
 * Makes the objects that hold map fields. Their keys come from strangers: nothing is inherited, so "constructor" is absent
 * until it is set and "__proto__" is a key like any other. (A constructor with an empty prototype, since V8 keeps objects
 * made by `Object.create(null)` in a slow form.)
 */
export const Dictionary = (() => {
  const made = function Dictionary() {} as unknown as DictionaryConstructor & { prototype: object };
  made.prototype = Object.freeze(Object.create(null) as object);
  return made as DictionaryConstructor;
})();
