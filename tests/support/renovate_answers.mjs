// Answers in the place of registries: loaded before Renovate by `node --import`. A release has a timestamp where Renovate's
// own data source can read one: of images, on Docker Hub only.
import { join } from 'node:path';

const { RENOVATE_FOLDER, RENOVATE_RELEASES } = process.env;
const { default: datasources } = await import(join(RENOVATE_FOLDER, 'dist/modules/datasource/api.js'));
const published = JSON.parse(RENOVATE_RELEASES);

for (const [id, datasource] of datasources) {
  // Its list is in Renovate itself.
  if (id === 'github-runners') continue;
  datasource.getReleases = async ({ packageName }) => {
    const isTimed = datasource.releaseTimestampSupport && (id !== 'docker' || !packageName.split('/')[0].includes('.'));
    const releases = Object.entries(published[packageName] ?? {}).map(([version, releaseTimestamp]) =>
      isTimed ? { version, releaseTimestamp } : { version },
    );
    return releases.length ? { releases } : null;
  };
  datasource.getDigest = async () => (id === 'docker' ? `sha256:${'f'.repeat(64)}` : 'f'.repeat(id.endsWith('attachments') ? 64 : 40));
  datasource.postprocessRelease = async (_, release) => release;
}
