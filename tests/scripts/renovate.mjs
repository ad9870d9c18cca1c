// What Renovate's own rules make of dependencies that it found: reads them from standard input, by manager and file, and
// writes those that it would move. Arguments: Renovate's folder, and the configuration.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [renovate, configuration] = process.argv.slice(2);
const JSON5 = createRequire(join(renovate, 'package.json'))('json5');
const { applyPackageRules } = await import(join(renovate, 'dist/util/package-rules/index.js'));
const config = JSON5.parse(readFileSync(configuration, 'utf8'));

const moved = [];
for (const dependency of JSON.parse(readFileSync(0, 'utf8'))) {
  const result = await applyPackageRules({ ...config, enabled: true, ...dependency }, 'update');
  if (result.enabled && !result.skipReason) {
    moved.push(`${dependency.packageFile} ${dependency.depName}`);
  }
}
console.log(JSON.stringify(moved));
