import{ai as r}from"./index-BlF4ykAW.js";var o=r();export{o as r};
