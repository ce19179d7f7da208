import{ai as r}from"./index-D5wvWRJ3.js";var o=r();export{o as r};
