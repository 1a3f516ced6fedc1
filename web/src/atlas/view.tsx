/** Atlas. */

export default function AtlasView() {
  return <h1>Atlas</h1>;
}
