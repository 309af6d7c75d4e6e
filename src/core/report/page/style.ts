/** The pages' own style: no fonts or pictures from elsewhere; every pair of colours has WCAG AA contrast (tested). */
export const pageStyle = `
:root{color-scheme:light dark;--bg:#fff;--panel:#f6f8fa;--text:#1f2328;--muted:#57606a;--link:#0550ae;--line:#d0d7de;
--ok:#116329;--okb:#dafbe1;--mem:#8a3800;--memb:#fff1e5;--bad:#a40e26;--badb:#ffebe9;--off:#424a53;--offb:#eaeef2;
--mark:#0969da;--band:#b6d7ff;--warm:#bc6a00}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--panel:#161b22;--text:#e6edf3;--muted:#9ea7b3;--link:#79b8ff;
--line:#30363d;--ok:#56d364;--okb:#12261e;--mem:#f2a65e;--memb:#2e1f12;--bad:#ff938a;--badb:#33161a;--off:#b7c0ca;
--offb:#23292f;--mark:#58a6ff;--band:#1f3d63;--warm:#e3a04f}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;overflow-wrap:break-word;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
body>*{max-width:92rem;margin-inline:auto;padding-inline:clamp(.75rem,3vw,2rem)}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;background:var(--bg);padding:.5rem;z-index:9}
header{padding-block:1.25rem .5rem}
h1{font-size:clamp(1.35rem,4vw,1.9rem);line-height:1.25;margin:.2rem 0 .4rem;overflow-wrap:anywhere;text-wrap:balance}
h2{font-size:1.25rem;margin:2.2rem 0 .6rem;padding-bottom:.3rem;border-bottom:1px solid var(--line)}
main>h2:first-child{margin-top:.4rem}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p{margin:.4rem 0 .8rem;max-width:95ch}
.muted,figcaption,caption,dt{color:var(--muted)}
.muted,.small{font-size:.875rem}
.id,code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.id{font-size:.8125rem;color:var(--muted);overflow-wrap:anywhere}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.7rem .8rem;margin:.4rem 0 1rem;font-size:.8125rem;line-height:1.45;overflow:auto;max-height:32rem}
pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,8.4rem),1fr));gap:.6rem;margin:.8rem 0;padding:0}
.cards>div{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem;min-width:0}
.cards dt{font-size:.8125rem}
.cards dd{margin:0;font-size:1.15rem;font-weight:600;line-height:1.35;overflow-wrap:break-word}
.cards dd small{display:block;font-size:.8125rem;font-weight:400;color:var(--muted);line-height:1.35}
.facts{display:grid;grid-template-columns:minmax(7rem,max-content) minmax(0,1fr);gap:.15rem 1rem;margin:.4rem 0 1rem;font-size:.9375rem}
.facts dt{overflow-wrap:anywhere}
.facts dd{margin:0;overflow-wrap:anywhere}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 2.5rem}
.two>*{min-width:0}
.b{display:inline-block;font-size:.8125rem;font-weight:600;line-height:1.4;padding:.05em .6em;border-radius:1em;white-space:nowrap;background:var(--offb);color:var(--off)}
.b.ok{background:var(--okb);color:var(--ok)}
.b.mem{background:var(--memb);color:var(--mem)}
.b.bad{background:var(--badb);color:var(--bad)}
.note{border-left:4px solid var(--warm);background:var(--panel);padding:.5rem .8rem;margin:.6rem 0;max-width:none;border-radius:0 6px 6px 0}
.note h2{margin:0;border:0;padding:0}
.note ul,.list{margin:0;padding-left:1.2rem}
.note li,.list li{overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.4rem 0 1rem;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.5rem .7rem;font-size:.8125rem}
th,td{padding:.4rem .6rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead>tr>*{background:var(--panel);font-weight:600;white-space:nowrap;border-top:0}
caption~thead>tr>*{border-top:1px solid var(--line)}
tbody th{font-weight:400;white-space:nowrap}
tbody tr:hover>*{background:var(--panel)}
.n{text-align:right;white-space:nowrap}
.nb,#runs td{white-space:nowrap}
#runs .ww{white-space:normal}
#runs th[scope=row]{position:sticky;left:0;background:var(--bg)}
.w{min-width:11rem;max-width:34rem;overflow-wrap:anywhere}
.ww{min-width:32rem;overflow-wrap:anywhere}
.ww>div{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:3px solid var(--mark)}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
.forest{width:7.5rem;height:1.4rem;display:block}
.forest .one{stroke:var(--muted)}
.forest .iv{stroke:var(--mark);stroke-width:3}
.forest .pt{fill:var(--mark)}
.filters{display:flex;flex-wrap:wrap;gap:.5rem .8rem;align-items:end;margin:.6rem 0;font-size:.875rem}
.filters label{display:grid;grid-template-columns:minmax(0,max-content);gap:.15rem;color:var(--muted);max-width:100%}
.filters :is(select,input,button){font:inherit;color:var(--text);background:var(--bg);border:1px solid var(--muted);border-radius:6px;padding:.3rem .5rem;max-width:min(18rem,80vw);min-height:2.2rem}
.filters output{color:var(--muted);padding:.4rem 0}
.pic{background:#fff;color:#1f2328;border:1px solid var(--line);border-radius:8px;padding:.5rem;overflow-x:auto}
.pic svg{display:block;max-width:none;margin:auto}
.pic :is([data-dim]){opacity:.15}
figure{margin:.6rem 0 1.6rem;min-width:0}
figcaption{font-size:.875rem;margin-bottom:.4rem}
.chart figcaption{font-weight:600;color:var(--text)}
.plot{margin-top:.7rem;display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem .5rem;font-size:.75rem;color:var(--muted);position:relative;font-variant-numeric:tabular-nums}
.plot svg{width:100%;height:10rem;display:block;overflow:visible;background:linear-gradient(var(--line),var(--line)) 0 0/100% 1px no-repeat,linear-gradient(var(--line),var(--line)) 0 50%/100% 1px no-repeat,linear-gradient(var(--line),var(--line)) 0 100%/100% 1px no-repeat,var(--panel)}
.plot *{vector-effect:non-scaling-stroke}
.yl{display:flex;flex-direction:column;justify-content:space-between;text-align:right;margin-block:-.55rem}
.xl{grid-column:2;display:flex;justify-content:space-between}
.plot path{fill:none;stroke:var(--mark);stroke-width:1.5;stroke-linejoin:round}
.plot .med{stroke:var(--text);stroke-dasharray:4 3}
.plot .dots,.plot .wd,.plot .hot{stroke-linecap:round;stroke-width:6}
.plot .wd{stroke:var(--warm)}
.plot .hot{stroke:var(--text);stroke-width:9}
.plot .iv{fill:var(--band);stroke:none}
.key{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin:.3rem 0;padding:0;font-size:.8125rem;color:var(--muted)}
.key i{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.35rem;background:var(--mark)}
.key .wd{background:var(--warm)}
.key .med{height:2px;border-radius:0;background:var(--text);vertical-align:middle;width:1rem}
.key .iv{background:var(--band);border-radius:2px}
details{margin:.3rem 0 .8rem}
summary{cursor:pointer;color:var(--link);font-size:.875rem}
.vals{font-size:.8125rem;overflow-wrap:anywhere;font-variant-numeric:tabular-nums;max-width:none}
meter{width:100%;max-width:14rem;height:.9rem;vertical-align:middle}
#tip{position:fixed;z-index:9;pointer-events:none;max-width:min(22rem,92vw);background:#1f2328;color:#fff;padding:.4rem .6rem;border-radius:6px;font-size:.8125rem;line-height:1.4;white-space:pre-line;overflow-wrap:anywhere;left:0;top:0}
footer{margin-top:2.5rem;padding-block:1rem 2rem;border-top:1px solid var(--line);font-size:.875rem;color:var(--muted)}
[hidden]{display:none!important}
@media(max-width:40rem){body{font-size:15px}.facts{grid-template-columns:minmax(5rem,38%) minmax(0,1fr);gap:.1rem .6rem}th,td{padding:.35rem .5rem}.cards{grid-template-columns:repeat(2,minmax(0,1fr))}.cards dd{font-size:1.1rem}}
@media print{:root{color-scheme:light;--bg:#fff;--panel:#f6f8fa;--text:#000;--muted:#444;--link:#000;--line:#bbb}.filters,.skip,#tip{display:none}.scroll,.pic,pre{overflow:visible;max-height:none;border:0}pre{white-space:pre-wrap}table{font-size:7.5pt}tr,figure,.cards>div{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}.w,.ww{min-width:0}details>*{display:block}.ww>div{display:block}}
`.replaceAll('\n', '');
