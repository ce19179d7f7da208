import{ai as r}from"./index-qDZsWmq-.js";var o=r();export{o as r};
