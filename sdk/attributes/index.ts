export {
  attributesJson,
  attributeText,
  containsAttributes,
  sameAttribute,
  sameAttributes,
} from "./attributes.js";
export { attributesFromJson, parseAttributes } from "./parse.js";
export { validateAttribute } from "./validate.js";
