import{ai as r}from"./index-BqaSmg47.js";var o=r();export{o as r};
