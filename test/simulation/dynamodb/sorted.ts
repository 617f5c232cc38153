/** The first position of a sorted list whose member does not come before what is looked for. `order`: below 0 for members before it. */
export function firstFrom<Member>(list: readonly Member[], order: (member: Member) => number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order(list[middle] as Member) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** FNV-1a over the code units: where a partition lies in its table. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  // A last stirring, or keys that differ in their last letter alone would lie side by side.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
