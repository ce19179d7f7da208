import{ai as r}from"./index-7pto1-5a.js";var o=r();export{o as r};
