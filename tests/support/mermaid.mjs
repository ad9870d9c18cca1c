// Parse the diagrams that come as a JSON list on standard input with the real Mermaid, its default limits included, and print a JSON list of errors.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const modules = pathToFileURL(`${process.argv[2]}/`);
// Mermaid cleans labels with DOMPurify, which needs a browser. The parser does not.
const { default: purify } = await import(new URL("dompurify/dist/purify.es.mjs", modules));
purify.sanitize = (text) => text;
purify.addHook = () => undefined;
const { default: mermaid } = await import(new URL("mermaid/dist/mermaid.core.mjs", modules));
const { maxTextSize } = mermaid.mermaidAPI.defaultConfig;

const errors = [];
for (const diagram of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    await mermaid.parse(diagram);
    if (diagram.length > maxTextSize) throw new Error(`${diagram.length} characters are more than ${maxTextSize}`);
  } catch (error) {
    errors.push(`${error.message}\n${diagram.slice(0, 2000)}`);
  }
}
console.log(JSON.stringify(errors));
