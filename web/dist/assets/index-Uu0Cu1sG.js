import{ai as r}from"./index-TetrdqUy.js";var o=r();export{o as r};
