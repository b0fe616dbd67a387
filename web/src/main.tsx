import { render } from "preact";
import { useState } from "preact/hooks";
import { type Ask, type Asked, EVERYTHING, read } from "./data";
import { Findings } from "./findings";
import { First } from "./first";
import { Fixes } from "./fixes";
import { Head } from "./head";
import { Proofs } from "./proofs";
import { Rest } from "./rest";
import { Services } from "./services";
import { Wiring } from "./wiring";

const dossier = read();

function Page() {
  const [asked, setAsked] = useState<Asked>(EVERYTHING);
  const ask: Ask = (wish) => {
    setAsked({ ...EVERYTHING, ...wish });
    document.getElementById("findings")?.scrollIntoView();
  };
  return (
    <>
      <a class="skip" href="#first">
        Skip to what to do first
      </a>
      <Head dossier={dossier} ask={ask} />
      <main>
        <First dossier={dossier} ask={ask} />
        <Services dossier={dossier} ask={ask} />
        <Wiring dossier={dossier} ask={ask} />
        <Findings dossier={dossier} asked={asked} change={setAsked} />
        <Fixes dossier={dossier} />
        <Proofs dossier={dossier} />
        <Rest dossier={dossier} />
      </main>
      <footer>
        Written by Shoreup {dossier.account.version}. What the source does not decide is listed as not known, never guessed. This page reaches no network.
      </footer>
    </>
  );
}

const target = document.getElementById("app");
if (target) render(<Page />, target);
