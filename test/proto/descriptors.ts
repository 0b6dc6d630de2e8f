// What the property tests know of the messages: the descriptors that are generated beside the codecs.
import { createFileRegistry, type DescField, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldOptions_JSType,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { imageBase64 } from "../../proto/gen/image.js";
import { messageNames } from "../../proto/json/index.js";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(imageBase64, "base64")));

export function descriptorOf(name: string): DescMessage {
  const found = registry.getMessage(name);
  if (found === undefined) throw new Error(`no descriptor of ${name}`);
  return found;
}

export const descriptors: readonly DescMessage[] = messageNames.map(descriptorOf);

export const isRequired = (field: DescField): boolean =>
  field.proto.label === FieldDescriptorProto_Label.REQUIRED;

/** The default that Mesos's JSON shows while the field is unset. */
export function shownDefault(field: DescField): unknown {
  if (!Object.hasOwn(field.proto, "defaultValue") || field.proto.options?.deprecated) return undefined;
  return field.fieldKind === "enum" || field.fieldKind === "scalar" ? field.getDefaultValue() : undefined;
}

export const isNumber64 = (field: DescField): boolean =>
  field.proto.options?.jstype === FieldOptions_JSType.JS_NUMBER;

/** Has zero no presence of its own? True of the proto3 messages we import. */
export const isImplicit = (field: DescField): boolean =>
  field.fieldKind === "scalar" && field.parent.file.proto.syntax === "proto3";
