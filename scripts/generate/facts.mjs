// What the code generators ask of descriptors.
import { ScalarType } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Label, FieldOptions_JSType } from "@bufbuild/protobuf/wkt";

/** `Outer_Inner`, as ts-proto names the type. */
export function localName(desc) {
  const prefix = desc.file.proto.package;
  return (prefix === "" ? desc.typeName : desc.typeName.slice(prefix.length + 1)).replaceAll(".", "_");
}

export const isRequired = (field) => field.proto.label === FieldDescriptorProto_Label.REQUIRED;

/** A proto3 scalar: zero is the same as absent. */
export const isImplicit = (field) =>
  field.parent.file.proto.syntax === "proto3" &&
  (field.fieldKind === "scalar" || field.fieldKind === "enum") &&
  field.oneof === undefined &&
  !field.proto.proto3Optional;

/** Mesos writes the explicit default of an unset field, unless the field is deprecated. */
export const hasWrittenDefault = (field) =>
  Object.hasOwn(field.proto, "defaultValue") && !field.proto.options?.deprecated;

// Mesos writes these answers by hand, list by list, instead of through its general rule.
const WITH_EMPTY_LISTS = new Set(
  ["master", "agent"].flatMap((side) =>
    ["GetAgents", "GetExecutors", "GetFrameworks", "GetMetrics", "GetTasks"].map(
      (name) => `mesos.v1.${side}.Response.${name}`,
    ),
  ),
);

/** Is a list written even when it is empty? */
export const isWrittenEmpty = (field) =>
  field.fieldKind === "list" &&
  WITH_EMPTY_LISTS.has(field.parent.typeName) &&
  !field.proto.options?.deprecated;

/** A 64-bit integer that the TypeScript type holds as number. */
export const isNumber64 = (field) => field.proto.options?.jstype === FieldOptions_JSType.JS_NUMBER;

/** The message type of a field, of a list's items or of a map's values. */
export const messageOf = (field) => field.message;

/** The enum type of a field, of a list's items or of a map's values. */
export const enumOf = (field) => field.enum;

export function* allMessages(types) {
  for (const type of types) {
    yield type;
    yield* allMessages(type.nestedMessages);
  }
}

export function* allEnums(file) {
  yield* file.enums;
  for (const message of allMessages(file.messages)) yield* message.nestedEnums;
}

/** Messages that have a required field, or reach one through their fields. */
export function messagesWithRequired(messages) {
  const found = new Set(messages.filter((message) => message.fields.some(isRequired)));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const message of messages) {
      if (message.fields.some((field) => found.has(messageOf(field)))) found.add(message);
    }
  }
  return found;
}

/** Messages that contain themselves, directly or through others: only there can input nest without limit. */
export function recursiveMessages(messages) {
  const reaches = (from, to, seen) =>
    from.fields.some((field) => {
      const next = messageOf(field);
      if (next === undefined) return false;
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  return new Set(messages.filter((message) => reaches(message, message, new Set())));
}

/** Refuses what the generators do not cover, instead of generating something wrong. */
export function assertSupported(field) {
  const unsupported = (what) => {
    throw new Error(`${field}: ${what} are not supported`);
  };
  if (field.fieldKind === "map" && field.mapKey !== ScalarType.STRING)
    unsupported("maps keyed by anything but strings");
  if (field.mapKind === "enum") unsupported("maps of enums");
  if (field.scalar === ScalarType.FLOAT) unsupported("floats");
  if (isNumber64(field) && field.scalar !== ScalarType.UINT64) unsupported("signed integers as number");
  if (field.proto.type === 10) unsupported("groups");
  if (field.scalar === ScalarType.BYTES && Object.hasOwn(field.proto, "defaultValue"))
    unsupported("defaults for bytes");
}
