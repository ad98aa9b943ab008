/** The look of the HTML report: two columns on a wide screen, cards on a narrow one, light and dark by the reader's wish. */
export const htmlStyle = `
:root{color-scheme:light dark;--ground:#fbfaf8;--card:#fff;--ink:#1c1f24;--soft:#5d6673;--line:#dfdcd5;--link:#0b57a4;
--critical:#8f1020;--high:#b3470e;--unscored:#6d2fa0;--medium:#7d5c00;--low:#3d5a73;--none:#5d6673;--good:#17663a;
--denied:#8f1020;--unknown:#6d2fa0;--warned:#7d5c00}
@media (prefers-color-scheme:dark){:root{--ground:#14161a;--card:#1c1f25;--ink:#e8e6e1;--soft:#a0a8b4;--line:#343943;
--link:#83b9f2;--critical:#ff8a93;--high:#ffad75;--unscored:#d3a8ff;--medium:#ecca62;--low:#a5c5e2;--none:#a0a8b4;
--good:#7fd6a2;--denied:#ff8a93;--unknown:#d3a8ff;--warned:#ecca62}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2.5rem 0 .75rem}
p{margin:.25rem 0}
code,.mono{font:0.9em/1.45 ui-monospace,monospace;overflow-wrap:anywhere}
a{color:var(--link)}
.soft{color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.75rem;margin:1.5rem 0 0;padding:0;list-style:none}
.facts li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.facts b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
.verdict{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:.1rem .75rem;font-weight:600}
.refused,.critical,.denied{color:var(--critical)}.passed,.good{color:var(--good)}.high{color:var(--high)}
.unscored,.unknown,.not-evaluated{color:var(--unscored)}.medium,.warned,.excepted{color:var(--medium)}.low{color:var(--low)}.none{color:var(--none)}
.class{font-weight:600;white-space:nowrap}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-top:1px solid var(--line);overflow-wrap:anywhere}
thead th{border-top:0;color:var(--soft);font-weight:600;font-size:.85em}
details{margin:.15rem 0 0}summary{cursor:pointer;color:var(--soft)}
details ul{margin:.25rem 0 .25rem 1.1rem;padding:0}
.settled td{border-top-style:dashed}.settled .class{color:var(--soft);font-weight:400}
@media (max-width:46rem){
main{padding:1.25rem .9rem 3rem}.facts{grid-template-columns:repeat(auto-fit,minmax(6rem,1fr));gap:.5rem}
table,tbody,tr,td{display:block;width:100%}thead{position:absolute;clip-path:inset(50%);height:1px;overflow:hidden}
table{background:none;border:0}
tr{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:0 0 .6rem;padding:.4rem 0}
td{border:0;padding:.15rem .8rem}td:empty{display:none}
td[data-is]::before{content:attr(data-is) " ";color:var(--soft);font-size:.85em}
}
@media print{body{background:none}details>*{display:block}}
`;
