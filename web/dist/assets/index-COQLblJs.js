import{ai as r}from"./index-BwsDxj-1.js";var o=r();export{o as r};
