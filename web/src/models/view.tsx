/** Models. */

export default function ModelsView() {
  return <h1>Models</h1>;
}
