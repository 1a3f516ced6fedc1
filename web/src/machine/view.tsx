/** Machine. */

export default function MachineView() {
  return <h1>Machine</h1>;
}
