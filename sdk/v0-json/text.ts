import { doubleJson } from "../resources/index.js";

/** Texts of the v0 endpoints are put together from the texts of their parts, without objects in between. */

/** A string as JSON. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * The same text in one piece. The engine keeps added texts as a tree until somebody reads them; a text that is kept to be part
 * of many answers is read here, once, instead of in each of them.
 */
export function flatten(text: string): string {
  // Any reading would do; this one stops at the first character.
  Number(text);
  return text;
}

/** `[a,b]` of JSON texts. */
export function listOf<T>(items: Iterable<T>, write: (item: T) => string): string {
  const texts: string[] = [];
  for (const item of items) texts.push(write(item));
  // Joined at once rather than added up: lists can be long, and the result is one piece.
  return `[${texts.join(",")}]`;
}

export function stringsJson(texts: Iterable<string>): string {
  return listOf(texts, quote);
}

/** `{"name":"value"}` of texts. */
export function mapJson(map: Iterable<readonly [string, string]>): string {
  let json = "";
  for (const [name, value] of map) json += `${json === "" ? "" : ","}${quote(name)}:${quote(value)}`;
  return `{${json}}`;
}

/** Seconds since the epoch, as a double. */
export function timeJson(seconds: number): string {
  return doubleJson(seconds);
}
