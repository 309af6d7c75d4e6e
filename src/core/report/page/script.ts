/**
 * What the pages can do beyond being read: hover, filter, sort. Nothing is shown by it that is not there without it.
 * It reads text (`textContent`, attributes) and writes text; it never makes markup out of it.
 */
export const pageScript = `
(()=>{'use strict';
const all=(s,r=document)=>[...r.querySelectorAll(s)];
const make=(n,p={},...c)=>{const e=document.createElement(n);Object.assign(e,p);e.append(...c);return e};
const tip=make('div',{id:'tip',hidden:true,role:'status'});document.body.append(tip);
const show=(text,x,y)=>{tip.textContent=text;tip.hidden=false;
 const {width:w,height:h}=tip.getBoundingClientRect();
 tip.style.left=Math.max(4,Math.min(x+14,innerWidth-w-8))+'px';
 tip.style.top=(y+18+h>innerHeight?Math.max(4,y-h-12):y+18)+'px'};
const hide=()=>{tip.hidden=true};
addEventListener('scroll',hide,{passive:true});
addEventListener('keydown',e=>{if(e.key==='Escape')hide()});

for(const svg of all('.chart svg')){
 const figure=svg.closest('figure'),text=figure.querySelector('.vals');
 const values=text.textContent.trim().split(/\\s+/);
 const steps=+figure.querySelector('.xl span:last-child').textContent,every=Math.ceil(steps/values.length),unit=figure.querySelector('figcaption').textContent.split(', ').pop();
 const warm=all('.wd',svg).length?(svg.querySelector('.wd').getAttribute('d').match(/M/g)||[]).length:0;
 const places={};
 for(const p of all('path:not(.iv,.med)',svg))for(const m of p.getAttribute('d').matchAll(/[ML](\\d+) (\\d+)/g))places[m[1]]=+m[2];
 const hot=document.createElementNS(svg.namespaceURI,'path');hot.setAttribute('class','hot');
 let at=-1;
 const go=(i,x,y)=>{at=Math.max(0,Math.min(values.length-1,i));
  const box=svg.getBoundingClientRect(),px=at/Math.max(1,values.length-1)*box.width;
  const place=places[at];
  if(place!==undefined){hot.setAttribute('d','M'+at+' '+place+'h0');svg.append(hot)}
  const step=every>1?'steps '+(at*every+1)+' to '+Math.min(steps,at*every+every):'step '+(at+1);
  show(step+': '+values[at]+' '+unit+(at<warm?', warm-up':''),x??box.left+px,y??box.top+(place??0)/99*box.height)};
 const end=()=>{hot.remove();hide()};
 svg.addEventListener('pointermove',e=>{const b=svg.getBoundingClientRect();go(Math.round((e.clientX-b.left)/b.width*(values.length-1)),e.clientX,e.clientY)});
 svg.addEventListener('pointerleave',end);
 svg.setAttribute('tabindex','0');
 svg.addEventListener('blur',end);
 svg.addEventListener('keydown',e=>{const d={ArrowRight:1,ArrowLeft:-1}[e.key];if(d){e.preventDefault();go(at+d)}});
}

for(const svg of all('.pic svg')){
 const marks=all('[aria-label][aria-roledescription]',svg).filter(m=>m.matches('path,line,rect,circle'));if(!marks.length)continue;
 const keys=Object.entries(JSON.parse(svg.closest('.pic').dataset.series||'{}'));
 for(const m of marks){m.dataset.tip=m.getAttribute('aria-label').replaceAll('; ','\\n');
  const own=keys.filter(([t])=>m.dataset.tip.startsWith(t+', ')).sort(([a],[b])=>b.length-a.length)[0];if(own)m.dataset.mode=own[1]}
 let at=-1;
 const tell=(m,x,y)=>{const b=m.getBoundingClientRect();show(m.dataset.tip,x??b.left+b.width/2,y??b.top)};
 svg.addEventListener('pointermove',e=>{const m=e.target.closest('[data-tip]');if(m)tell(m,e.clientX,e.clientY);else hide()});
 svg.addEventListener('pointerleave',hide);
 svg.setAttribute('tabindex','0');
 svg.addEventListener('blur',hide);
 svg.addEventListener('keydown',e=>{const d={ArrowRight:1,ArrowLeft:-1}[e.key];if(!d)return;e.preventDefault();
  const seen=marks.filter(m=>m.dataset.dim===undefined);if(!seen.length)return;at=(at+d+seen.length)%seen.length;tell(seen[at])});
}

const table=document.querySelector('#runs table');
if(table){
 const heads=all('thead th',table),body=table.tBodies[0],rows=[...body.rows];
 const text=(row,i)=>row.cells[i].textContent.trim();
 const box=make('div',{className:'filters',role:'search'});box.setAttribute('aria-label','Filter');
 const chosen={};
 const words=make('input',{type:'search'});
 const count=make('output');
 const fits=row=>Object.entries(chosen).every(([i,v])=>v===''||text(row,i)===v)&&(words.value===''||row.textContent.toLowerCase().includes(words.value.toLowerCase()));
 const others=all('[data-system],[data-mode]').filter(e=>!e.matches('#runs *'));
 const apply=()=>{let n=0;for(const row of rows){const yes=fits(row);row.hidden=!yes;n+=yes}
  count.textContent=n+' of '+rows.length+' runs';
  const by=name=>{const i=heads.findIndex(h=>h.dataset.f===name);return chosen[i]||''};
  for(const e of others){
   const off=(k)=>by(k)!==''&&e.dataset[k]!==undefined&&e.dataset[k]!==by(k);
   if(e.ownerSVGElement){if(off('mode')||off('model')||off('outcome'))e.dataset.dim='';else delete e.dataset.dim}
   else e.hidden=off('system')||off('mode')||off('model')}};
 heads.forEach((head,i)=>{
  const name=head.dataset.f;
  if(name){const values=[...new Set(rows.map(r=>text(r,i)))].sort((a,b)=>a.localeCompare(b,'en',{numeric:true}));
   if(values.length>1){const select=make('select',{},make('option',{value:'',textContent:'all'}),...values.map(v=>make('option',{value:v,textContent:v})));
    chosen[i]='';select.addEventListener('change',()=>{chosen[i]=select.value;apply()});
    box.append(make('label',{},name,select))}}
  const button=make('button',{type:'button'});button.append(...head.childNodes);head.append(button);
  button.addEventListener('click',()=>{
   const up=head.getAttribute('aria-sort')!=='ascending';
   heads.forEach(h=>h.removeAttribute('aria-sort'));head.setAttribute('aria-sort',up?'ascending':'descending');
   const number=t=>{const [,n,u]=/^(.*?)([KM%]?)$/.exec(t);return n===''?NaN:Number(n)*({K:1024,M:1048576}[u]||1)};
   const keyed=rows.map(r=>[text(r,i),r]);
   const numeric=keyed.every(([t])=>t===''||!isNaN(number(t)));
   keyed.sort(([a],[b])=>{if((a==='')!==(b===''))return a===''?1:-1;
    const d=numeric?number(a)-number(b):a.localeCompare(b,'en',{numeric:true});return up?d:-d});
   body.append(...keyed.map(([,r])=>r))})});
 words.addEventListener('input',apply);
 const reset=make('button',{type:'button',textContent:'Show all'});
 reset.addEventListener('click',()=>{words.value='';for(const s of all('select',box))s.value='';for(const i in chosen)chosen[i]='';apply()});
 box.append(make('label',{},'any text',words),reset,count);
 document.querySelector('#filters').append(box);apply();
}
document.documentElement.dataset.script='on';
})();
`;
