/** Which of the files that are dropped on the page are for models: a machine's capture goes to the Machine view. */

/** Of machines, and never of models. */
const MACHINE = /\.(?:log|tar|tgz|gz|xz|zst|bz2|dtb|deb|html?)$/i;
const DOUBTFUL = /\.(?:json|txt)$/i;

export const isPicture = ({ name, type }: File): boolean =>
  type.startsWith("image/") || /\.(?:jpe?g|png|bmp|webp|avif|gif|tiff?)$/i.test(name);

/** What goes into a model and is none itself. */
export const isInput = (file: File): boolean =>
  isPicture(file) || file.type.startsWith("audio/") || /\.(?:npy|npz|wav)$/i.test(file.name);

export async function isForModels(files: readonly File[]): Promise<boolean> {
  if (files.length === 0 || files.every(({ name }) => MACHINE.test(name))) return false;
  if (files.length > 1) return true;
  const [file] = files;
  if (file === undefined || !DOUBTFUL.test(file.name)) return true;
  const begins = await file.slice(0, 4096).text();
  return /"modelTopology"|"weightsManifest"|"format"\s*:\s*"(?:layers|graph)-model"/.test(begins);
}
