import{ai as r}from"./index-VNjEhuzQ.js";var o=r();export{o as r};
