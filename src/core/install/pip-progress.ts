/**
 * What pip does, in words that fit a line. It names dozens of packages in one line, and then says nothing for a minute but
 * that its own older setuptools is gone, which reads as if something were taken away.
 * @returns of each line of pip or uv what to show for it; null where it is no news
 */
export function pipProgress(line: string): string | null {
  const said = line.trim();
  const [, file, size] = /^Downloading (\S+) \((.+)\)$/.exec(said) ?? [];
  if (file !== undefined && size !== undefined) return `downloading ${packageOf(file)} (${size})`;
  const packages = /^Installing collected packages: (.+)$/.exec(said)?.[1]?.split(', ');
  if (packages !== undefined) return `unpacking ${packages.length} packages, which says nothing meanwhile`;
  return /^(?:Attempting uninstall|Found existing installation|Uninstalling|Successfully uninstalled)\b/.test(
    said,
  )
    ? null
    : said;
}

/** `torch 2.15.0` of `torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl`, which may come with its address. */
function packageOf(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1);
  const [, project = name, version = ''] =
    /^([\w.]+)-([\w.+]+?)(?:-.*)?\.(?:whl|tar\.gz|zip)$/.exec(name) ?? [];
  return `${project} ${version}`.trim();
}
