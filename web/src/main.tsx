import { render } from "preact";
import { read } from "./data";
import { Findings } from "./findings";
import { First } from "./first";
import { Fixes } from "./fixes";
import { Head } from "./head";
import { Proofs } from "./proofs";
import { Rest } from "./rest";
import { Services } from "./services";
import { Wiring } from "./wiring";

function Page() {
  const dossier = read();
  return (
    <>
      <a class="skip" href="#first">
        Skip to what to do first
      </a>
      <Head dossier={dossier} />
      <main>
        <First dossier={dossier} />
        <Services dossier={dossier} />
        <Wiring dossier={dossier} />
        <Findings dossier={dossier} />
        <Fixes dossier={dossier} />
        <Proofs dossier={dossier} />
        <Rest dossier={dossier} />
      </main>
      <footer>
        Written by Shoreup {dossier.account.version}. What the source does not decide is listed as not known, never guessed.
      </footer>
    </>
  );
}

const target = document.getElementById("app");
if (target) render(<Page />, target);
