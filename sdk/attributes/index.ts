export {
  attributesJson,
  attributeText,
  containsAttributes,
  sameAttributes,
} from "./attributes.js";
export { attributesFromJson, parseAttributes } from "./parse.js";
export { validateAttribute } from "./validate.js";
